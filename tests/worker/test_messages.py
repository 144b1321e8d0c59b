"""Services, their clients and the messages between them."""

import inspect
import subprocess
import sys

import pytest
from dnnbench.testing.service import KitClient, KitService
from dnnbench.worker.clients.agreement import AgreementClient
from dnnbench.worker.clients.arm import ArmClient
from dnnbench.worker.clients.process import ProcessClient
from dnnbench.worker.clients.timing import TimingClient
from dnnbench.worker.clients.training import TrainingClient
from dnnbench.worker.messages import (
    VERSION,
    read_answer,
    read_request,
    signature,
    write_failure,
    write_request,
)
from dnnbench.worker.plain import Unreadable
from dnnbench.worker.services.agreement import AgreementService
from dnnbench.worker.services.arm import ArmService
from dnnbench.worker.services.process import ProcessService
from dnnbench.worker.services.timing import TimingService
from dnnbench.worker.services.training import TrainingService

PAIRS = [
    (ProcessService, ProcessClient),
    (ArmService, ArmClient),
    (TimingService, TimingClient),
    (AgreementService, AgreementClient),
    (TrainingService, TrainingClient),
    (KitService, KitClient),
]
METHODS = [
    (service, client, name)
    for service, client in PAIRS
    for name in sorted(service.__abstractmethods__)
]


class Recording:
    """Takes requests and answers nothing."""

    def ask(self, method, timeout_s, /, *arguments, **named):
        self.asked = method, timeout_s, arguments, named


@pytest.mark.parametrize(
    ("service", "client", "name"), METHODS, ids=lambda part: getattr(part, "__name__", part)
)
def test_a_client_asks_the_method_of_its_own_name_with_all_that_it_is_given(service, client, name):
    asker, method = Recording(), getattr(service, name)
    arguments = tuple(
        f"argument {index}" for index in range(len(inspect.signature(method).parameters) - 1)
    )
    getattr(client(asker, 7.0), name)(*arguments)
    assert asker.asked == (method, 7.0, arguments, {})


@pytest.mark.parametrize(
    ("service", "client", "name"), METHODS, ids=lambda part: getattr(part, "__name__", part)
)
def test_every_method_has_a_form_for_what_it_takes_and_gives(service, client, name):
    parameters = list(inspect.signature(getattr(service, name)).parameters)[1:]
    assert list(signature(getattr(service, name)).decoders) == parameters


def test_a_request_of_another_version_is_told():
    request = write_request(TimingService.control, 3).data | {"version": VERSION + 1}
    with pytest.raises(
        Unreadable, match=f"is of version {VERSION + 1}, this process reads {VERSION}: both need"
    ):
        read_request(request)


def test_an_answer_of_another_version_is_told():
    with pytest.raises(Unreadable, match="is of version None"):
        read_answer(TimingService.control, {"result": 1.0})


def test_a_request_with_a_field_that_its_reader_does_not_know_is_told():
    with pytest.raises(Unreadable, match="unexpected keyword argument 'priority'"):
        read_request(write_request(TimingService.control, 3).data | {"priority": 1})


def test_a_failure_keeps_its_kind_and_its_words():
    failure = read_answer(TimingService.control, write_failure(ValueError("too wide")).data)
    assert (failure.kind, failure.message) == ("ValueError", "too wide")


NO_ARRAYS = """
import sys
from dnnbench.worker.messages import read_request, write_request
from dnnbench.worker.services.process import Hello, ProcessService
from dnnbench.worker.messages import read_answer
from dnnbench.worker.wire import PREFIX, decode, encode
[frame] = encode(*write_request(ProcessService.hello))
read_request(decode(frame[PREFIX.size:], bytearray()))
read_answer(ProcessService.hello, {"version": 1, "result": {"pid": 1, "python": "3", "cpus": [0]}})
print([name for name in sys.modules if name == "numpy" or name == "pydantic"])
"""


def test_a_message_without_arrays_touches_no_array_code():
    done = subprocess.run([sys.executable, "-c", NO_ARRAYS], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
