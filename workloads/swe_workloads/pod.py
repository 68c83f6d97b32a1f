"""What every program in a pod needs first: its environment, and a voice in `kubectl logs`."""

import os
import sys
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.environment import wrong_variables
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.transfer import Patience

# Where the kubelet reads the termination message.
TERMINATION_FILE = Path("/dev/termination-log")


def termination_file() -> Path:
    """For an ending before the pod's environment could be read."""
    return Path(os.environ.get("SWE_TERMINATION_FILE", TERMINATION_FILE))


class Pod(BaseModel):
    """The environment the operator gives. Fields with a default are the same in every pod; tests set them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    run_file: Path = Field(alias="SWE_RUN_FILE")
    artifacts_url: str = Field(alias="SWE_ARTIFACTS_URL")
    ca_file: Path = Field(alias="SWE_CA_FILE")
    # Where a generation tells how far it is.
    progress_url: str | None = Field(alias="SWE_PROGRESS_URL", default=None)
    token_file: Path = Field(alias="SWE_TOKEN_FILE")
    pod_uid: str = Field(alias="SWE_POD_UID", default="")
    attempt: int = Field(alias="SWE_ATTEMPT", default=0, ge=0)
    # Seconds that spec.budget leaves for this attempt; without it there is no end.
    budget_seconds: float | None = Field(alias="SWE_BUDGET_SECONDS", default=None, gt=0)
    # Rows of one forward pass in this attempt, if fewer than the run says.
    micro_batch: int | None = Field(alias="SWE_MICRO_BATCH", default=None, ge=1)
    grace_seconds: float = Field(alias="SWE_GRACE_SECONDS", default=30, gt=0)
    work_dir: Path = Field(alias="SWE_WORK_DIR", default=Path("/work"))
    credentials_dir: Path = Field(alias="SWE_CREDENTIALS_DIR", default=Path("/etc/swe-operator-credentials"))
    termination_file: Path = Field(alias="SWE_TERMINATION_FILE", default=TERMINATION_FILE)
    # How the predictions of an evaluation ended, as the operator saw it.
    results_file: Path = Field(alias="SWE_RESULTS_FILE", default=Path("/etc/swe-operator-results/results.json"))
    store_patience_seconds: float = Field(alias="SWE_STORE_PATIENCE_SECONDS", default=300, gt=0)

    def store(self) -> ArtifactStore:
        return ArtifactStore(
            url=self.artifacts_url,
            token_file=self.token_file,
            ca_file=self.ca_file,
            patience=Patience(self.store_patience_seconds),
        )


def read_pod() -> Pod:
    """Also makes the folder for temporary files. Raises Failure(INVALID_CONFIGURATION) that names the variable."""
    try:
        pod = Pod.model_validate(dict(os.environ))
    except ValidationError as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"The pod's environment: {wrong_variables(error)}") from error
    # The root file system is read-only, and tempfile passes over a folder that does not exist.
    scratch = Path(os.environ.setdefault("TMPDIR", str(pod.work_dir / "tmp")))
    try:
        scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"The pod's folder for temporary files: {error}") from error
    return pod


def say(message: str) -> None:
    """One line in the pod's log, with the time in UTC."""
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), message, flush=True, file=sys.stdout)
