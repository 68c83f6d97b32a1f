"""The trusted half of a sandbox pod: has one prediction tested beside it, grades the log, leaves a verdict.

python -m swe_workloads.evaluation.grade
"""

import secrets
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from swe_workloads.evaluation import official
from swe_workloads.evaluation.capability_client import CapabilityClient, Unavailable
from swe_workloads.evaluation.confined import Allowance
from swe_workloads.evaluation.dry_run import check_prediction
from swe_workloads.evaluation.grade_input import BenchInput, GradeInput, InvalidInput, ProInput, parse_grade_input
from swe_workloads.evaluation.grade_verdict import GradeVerdict, NotGraded, Output, write_termination_message
from swe_workloads.evaluation.grading import Desk, Graded, grade_log
from swe_workloads.evaluation.parser_desk import ParserDesk
from swe_workloads.evaluation.pro_grading import grade_pro
from swe_workloads.evaluation.purpose import for_purpose
from swe_workloads.evaluation.sandbox_inputs import Handover, hand_over, open_gate
from swe_workloads.evaluation.sandbox_log import Limits, SandboxLog, Stream, accept_one, keep_log, listen
from swe_workloads.evaluation.sandbox_pod import (
    SandboxPod,
    blaming_nobody,
    read_sandbox_pod,
    say,
    termination_file,
)
from swe_workloads.evaluation.verdict_of import verdict_of
from swe_workloads.transfer import digest_file


def main() -> int:
    # The first process of a container ignores what it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        verdict = judge(read_sandbox_pod())
    except NotGraded as error:
        verdict = blaming_nobody(error)
    say(f"{verdict.outcome} ({verdict.reason}): {verdict.message}")
    write_termination_message(verdict, termination_file())
    return verdict.exit_code


def judge(pod: SandboxPod) -> GradeVerdict:
    """From the input to the verdict that stands in the store. Raises NotGraded."""
    client = pod.client()
    given = for_purpose(fetch_input(client), pod.purpose)
    say(f"{given.instance.instance_id}: handing over")
    log = run_sandbox(pod, given)
    # The tests are over: a stop that comes now would only have them made again.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say(f"{given.instance.instance_id}: grading {log.size_bytes} bytes")
    graded = graded_by_its_rules(pod, given, log)
    verdict = verdict_of(graded, given, pod)
    if verdict.outcome == "NotGraded":
        raise NotGraded(verdict.reason, verdict.message)
    staged = [pod.shared_dir / name for name in ("patch.diff", *(["eval.sh"] if graded.account.tests else []))]
    return leave(client, verdict, [*staged, *graded.files])


def graded_by_its_rules(pod: SandboxPod, given: GradeInput, log: SandboxLog) -> Graded:
    desk = Desk(pod.work_dir, pod.log_bytes, Allowance(pod.grading_seconds, pod.grading_memory_bytes))
    if pod.purpose == "DryRun":
        return check_prediction(given, log, desk)
    if isinstance(given, ProInput):
        return grade_pro(given, log, desk, parser_desk(pod))
    return grade_log(given, log, desk)


def fetch_input(client: CapabilityClient) -> GradeInput:
    try:
        given = parse_grade_input(client.input())
    except Unavailable as error:
        raise NotGraded("InputUnavailable", str(error)) from error
    except InvalidInput as error:
        raise NotGraded("InvalidInput", str(error)) from error
    client.hang_up()
    return given


def run_sandbox(pod: SandboxPod, given: GradeInput) -> SandboxLog:
    """Hands the inputs over, opens the gate, and keeps what the sandbox says until it is over."""
    is_parsed = isinstance(given, ProInput) and pod.purpose != "DryRun"
    files = [pod.work_dir / "log", *([parser_desk(pod).stderr] if is_parsed else [])]
    listeners = [listen() for _ in files]
    token = secrets.token_hex(16)
    ports = [listener.getsockname()[1] for listener in listeners]
    hand_over(pod.shared_dir, given, Handover(ports, token, pod.purpose))
    if is_parsed and not parser_desk(pod).is_ready(pod.start_seconds):
        raise NotGraded("SandboxSilent", f"The parser's container did not start within {pod.start_seconds:.0f} s")
    open_gate(pod.shared_dir)
    if isinstance(given, BenchInput):
        check_known(given)
    streams = [
        Stream(connection, file)
        for listener, file in zip(listeners, files, strict=True)
        if (connection := accept_one(listener, pod.start_seconds)) is not None
    ]
    if len(streams) < len(files):
        raise NotGraded("SandboxSilent", f"The sandbox did not start within {pod.start_seconds:.0f} s")
    limits = Limits(
        log_bytes=pod.log_bytes,
        apply_seconds=pod.apply_seconds,
        test_seconds=given.timeout_seconds + pod.clock_margin_seconds,
    )
    return keep_log(streams, token, limits)


def parser_desk(pod: SandboxPod) -> ParserDesk:
    return ParserDesk(pod.parse_dir, pod.parsed_dir, pod.clock_margin_seconds)


def check_known(given: BenchInput) -> None:
    """After the gate: what this loads would keep the sandbox waiting, and the preparation has checked it before."""
    official.load_grading()
    instance = given.instance
    if instance.log_parser not in official.known_parsers():
        raise NotGraded("InvalidInput", f"{instance.instance_id}: no parser is called {instance.log_parser}")
    if instance.eval_type not in official.known_eval_types():
        raise NotGraded("InvalidInput", f"{instance.instance_id}: no eval_type is called {instance.eval_type}")


def leave(client: CapabilityClient, verdict: GradeVerdict, files: list[Path]) -> GradeVerdict:
    """Stores the outputs, then the verdict: whoever finds it finds them. Returns the one that stands.

    An earlier pod of this attempt may have left one; then the tests ran in vain, and its word counts.
    """
    file = files[-1].with_name("verdict.json")
    try:
        outputs = [store_output(client, output) for output in files]
        file.write_bytes(verdict.model_copy(update={"outputs": outputs, "image": client.image()}).to_json())
        return GradeVerdict.model_validate_json(client.commit(file))
    except Unavailable as error:
        raise NotGraded("StoreUnavailable", f"{error}. It would have been {verdict.outcome}") from error
    except ValidationError as error:
        raise NotGraded("StoreUnavailable", "The verdict in the store is not one") from error


def store_output(client: CapabilityClient, file: Path) -> Output:
    digest = digest_file(file)
    name = client.store(file.name, file)
    stored_as = None if name == file.name else name
    return Output(name=file.name, stored_as=stored_as, sha256=digest.sha256, size_bytes=digest.size_bytes)


if __name__ == "__main__":
    sys.exit(main())
