"""A socket between a client and a PostgreSQL server that can lose the answer to a COMMIT."""

import contextlib
import socket
import threading
from pathlib import Path

NAME = ".s.PGSQL.5432"


class LosingProxy:
    """Listens in `folder` for what the server in `behind` is asked.

    `losing` is how many answers it still loses.
    """

    def __init__(self, folder: Path, behind: str):
        self.folder, self.losing = folder, 0
        self._server = str(Path(behind) / NAME)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / NAME))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                threading.Thread(target=self._questions, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answers, args=(client, server), daemon=True).start()

    def _questions(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while question := client.recv(1 << 16):
                if b"COMMIT" in question and self.losing:
                    self.losing -= 1
                    client.shutdown(socket.SHUT_RDWR)  # before the server can answer
                server.sendall(question)
        server.shutdown(socket.SHUT_WR)

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while answer := server.recv(1 << 16):
                client.sendall(answer)
