"""The pod that serves a model, as processes: what fetches it, then the server, and whoever asks."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_artifact_endpoint import FakeEndpoint

READY_SECONDS = 240.0  # nearly all of it are imports, on a machine that does other things


def server_command(folder: str, port: int) -> list[str]:
    """As the container has it; a test compares the two."""
    serve = ["python", "-m", "transformers.cli.transformers", "serve", folder]
    return [*serve, "--host", "0.0.0.0", "--port", str(port), "--device", "cpu"]


class ServingPod:
    """`spec` is run.json but for its folder, which is the pod's own. Everything lies below one temporary folder."""

    def __init__(self, folder: Path, endpoint: FakeEndpoint, spec: dict[str, Any]) -> None:
        self.folder = folder
        self.model = str(folder / "models" / "tiny")
        run_file = folder / "run.json"
        run_file.write_text(json.dumps({**spec, "folder": self.model}))
        (folder / "work").mkdir()
        self._environment = {**os.environ, **endpoint.environment(folder / "work", run_file)}
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    def fetch(self) -> dict[str, Any]:
        """The verdict."""
        command = [sys.executable, "-m", "swe_workloads.serving.fetch"]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120)
        verdict: dict[str, Any] = json.loads(Path(self._environment["SWE_TERMINATION_FILE"]).read_text())
        assert verdict["exitCode"] == done.returncode, done.stdout + done.stderr
        return verdict

    def start(self) -> None:
        """Returns once it says that it is healthy."""
        # Nothing of the artifact endpoint: the container has none of it.
        environment = {**os.environ, "HOME": str(self.folder / "work"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        _, *words = server_command(self.model, self.port)
        with (self.folder / "server.log").open("w") as log:
            self._server = subprocess.Popen([sys.executable, *words], env=environment, stdout=log, stderr=log)
        until = time.monotonic() + READY_SECONDS
        while not self._is_healthy():
            assert self._server.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < until, (self.folder / "server.log").read_text()
            time.sleep(0.2)

    def stop(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def ask(self, text: str, **more: Any) -> dict[str, Any]:
        """One answer in a stream: its text, why it ended, and its usage."""
        body = {"model": self.model, "messages": [{"role": "user", "content": text}], "stream": True, **more}
        body["stream_options"] = {"include_usage": True}
        said: dict[str, Any] = {"text": "", "events": 0}
        with urllib.request.urlopen(self._request("/v1/chat/completions", body), timeout=120) as response:
            said["type"] = response.headers.get_content_type()
            for line in response:
                if line.startswith(b"data:") and line.strip() != b"data: [DONE]":
                    _take(said, json.loads(line.removeprefix(b"data:")))
        return said

    def status(self, body: dict[str, Any]) -> int:
        """With which status it answers this."""
        try:
            with urllib.request.urlopen(self._request("/v1/chat/completions", body), timeout=120) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def _request(self, path: str, body: dict[str, Any]) -> urllib.request.Request:
        headers = {"Content-Type": "application/json"}
        return urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers)

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=10) as response:
                return int(response.status) == 200
        except OSError:
            return False


def _take(said: dict[str, Any], event: dict[str, Any]) -> None:
    said["events"] += 1
    said["usage"] = event.get("usage") or said.get("usage")
    for choice in event["choices"]:
        said["text"] += choice["delta"].get("content") or ""
        said["finish_reason"] = choice.get("finish_reason") or said.get("finish_reason")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
