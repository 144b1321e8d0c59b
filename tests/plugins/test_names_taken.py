"""Names that dnnbench or two plugins have: nobody loses one, and a fault names distributions."""

import pytest
from dnnbench.errors import PluginError
from dnnbench.plugins.discovery import Plugins, plugins
from dnnbench.plugins.entries import announced
from helpers.plugin_sources import OWN, backends, beside_own, faults_of, workloads


@pytest.mark.parametrize("name", OWN)
def test_a_name_of_dnnbench_stays_its_own(plugins_of, name):
    own = plugins().backends[name]
    assert plugins_of(aaa=backends(f"[info('{name}')]")).backends[name] == own


def test_a_workload_of_dnnbench_stays_its_own(plugins_of):
    assert (
        plugins_of(aaa=workloads("[net('cnn_digits')]")).workloads["cnn_digits"]
        == plugins().workloads["cnn_digits"]
    )


def test_a_fault_over_a_name_of_dnnbench_names_both_distributions(plugins_of):
    [fault] = faults_of(plugins_of(aaa=backends("[info('numpy'), info()]")))
    assert fault.startswith(
        "plugin 'aaa' of aaa 1.0: backend 'numpy' is a name of dnnbench's own "
        "(plugin 'numpy' of dnnbench "
    )


def test_an_entry_point_that_is_called_as_one_of_dnnbench_takes_nothing_away(plugins_of):
    """Pluggy would register the first of a name alone: the one that stands first on the path."""
    assert list(plugins_of(numpy=backends("[info()]")).backends) == beside_own("fine")


def test_a_name_that_two_plugins_bring_is_no_backend(plugins_of):
    all_ = plugins_of(
        aaa=backends("[info('same'), info('mine')]"), bbb=backends("[info('same'), info('yours')]")
    )
    assert list(all_.backends) == beside_own("mine", "yours")
    first, second = faults_of(all_)
    assert first.startswith(
        "plugin 'bbb' of bbb 1.0: backend 'same' is brought by plugin 'aaa' of aaa 1.0 too"
    )
    assert second.startswith(
        "plugin 'aaa' of aaa 1.0: backend 'same' is brought by plugin 'bbb' of bbb 1.0 too"
    )
    with pytest.raises(PluginError, match=r"'same' cannot be used: plugin 'bbb' of bbb 1\.0"):
        all_.backend("same")


def test_no_other_backend_is_the_reference(plugins_of):
    all_ = plugins_of(aaa=backends("[info(reference=True)]"))
    assert all_.reference.name == "numpy"
    assert "backend 'fine': reference: got True" in faults_of(all_)[0]


def test_the_message_of_a_lost_reference_is_a_sentence(monkeypatch):
    """As a broken installation leaves it: dnnbench's own entry points but for NumPy's."""
    without = [each for each in announced() if each.origin.entry != "numpy"]
    with pytest.raises(
        PluginError, match="the NumPy reference cannot be used: no plugin of dnnbench brings it"
    ):
        _ = Plugins(without).reference
