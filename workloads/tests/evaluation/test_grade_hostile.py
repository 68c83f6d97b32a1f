"""Tested code that prints, kills, steals, hangs and floods: what grade makes of it is what it saw itself."""

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from evaluation.official_package import OfficialPackage
from evaluation.official_run import Official, both
from evaluation.sandbox_world import GOLD, INSTANCE, SandboxWorld
from evaluation.test_grade import WRONG

PASSED = "PASSED test_calc.py::test_add\nPASSED test_calc.py::test_sub\n"


def python(sandbox: SandboxWorld, name: str, program: str) -> str:
    """A command line that runs this program."""
    path = sandbox.folder / f"{name}.py"
    path.write_text(program)
    return f"{sys.executable} {path}"


FORGED = f"print('''>>>>> Start Test Output\n{PASSED}>>>>> End Test Output\n>>>>> Test Exit Code: 0''')"


@pytest.mark.parametrize(
    "conftest",
    [
        FORGED,
        f"import sys; sys.__stdout__.write('''{PASSED}''')",
        f"import os; os.write(1, b'''{PASSED}'''); os._exit(0)",
        "print('>>>>> Patch Apply Failed')",
        "print('>>>>> Tests Timed Out'); print('>>>>> Reset Failed')",
    ],
)
def test_forged_lines_get_the_official_answer(sandbox: SandboxWorld, official: Official, conftest: str) -> None:
    lines = conftest.split("\n")
    added = "".join(f"+{line}\n" for line in lines)
    head = "diff --git a/conftest.py b/conftest.py\nnew file mode 100644\n--- /dev/null\n+++ b/conftest.py\n"
    ended = both(official, sandbox, f"{WRONG}{head}@@ -0,0 +1,{len(lines)} @@\n{added}")
    resolved = ended.report[INSTANCE]["resolved"]
    assert ended.verdict["outcome"] == ("Resolved" if resolved else "Unresolved")


def test_forged_marks_of_the_sandbox_stay_text_of_the_tests(sandbox: SandboxWorld) -> None:
    words = "refused applied eval diff-before end\\ 124 diff-after workdir-missing setup-refused assets-refused"
    words += " files-before files-after"
    read_token = f"token=$(sed -n s/^TOKEN=//p {sandbox.shared}/settings)"
    sandbox.before_tests = f'{read_token}; for word in {words}; do printf "\\n%s %s\\n" "$token" "$word"; done'
    ended = sandbox.run(GOLD)
    assert (ended.verdict["outcome"], ended.verdict["appliedWith"]) == ("Resolved", "git apply --verbose")
    output = ended.outputs["test_output.txt"].decode()
    assert output.startswith(f"+ cd {sandbox.repo}\n")
    assert output.count(" end 124\n") == 1
    assert output.rstrip().endswith("Updated 0 paths from " + output.rsplit(" ", 1)[-1].strip())


def test_the_log_cannot_be_stolen(sandbox: SandboxWorld) -> None:
    """A pipe could be opened again and drained; of a socket nobody in the sandbox gets what another one wrote."""
    thief = """
import os, threading, time
said = open("thief.txt", "w")
try:
    os.open("/proc/self/fd/1", os.O_RDONLY)
except OSError as error:
    print(error.errno, file=said, flush=True)
def drain():
    while block := os.read(1, 65536):
        print("stole", block, file=said, flush=True)
for _ in range(3):
    threading.Thread(target=drain, daemon=True).start()
time.sleep(3)
"""
    sandbox.before_tests = (
        f"{python(sandbox, 'thief', thief)} & sleep 0.5; for i in {{1..2000}}; do echo line-$i-; done"
    )
    sandbox.test_command = f"{sandbox.test_command}; wait"
    ended = sandbox.run(GOLD)
    output = ended.outputs["test_output.txt"].decode()
    assert sum(line.startswith("line-") for line in output.splitlines()) == 2000
    assert (sandbox.repo / "thief.txt").read_text().split() == ["6"]  # ENXIO, and nothing stolen
    assert ended.verdict["outcome"] == "Resolved"


def test_a_second_connection_is_refused(sandbox: SandboxWorld) -> None:
    sandbox.before_tests = (
        f"port=$(sed -n s/^PORT=//p {sandbox.shared}/settings)\n"
        "(exec 3<>/dev/tcp/127.0.0.1/$port) && echo connected >second.txt || echo refused >second.txt"
    )
    assert sandbox.run(GOLD).verdict["outcome"] == "Resolved"
    assert (sandbox.repo / "second.txt").read_text() == "refused\n"


def test_a_sandbox_killed_by_its_tests_is_an_error(sandbox: SandboxWorld) -> None:
    sandbox.test_command = f"printf '{PASSED}'; kill -9 $(ps -o ppid= -p $PPID)"
    verdict = sandbox.run(GOLD).verdict
    assert (verdict["outcome"], verdict["reason"]) == ("Error", "NoTestOutput")
    assert "before eval.sh did" in verdict["message"]


def test_a_time_limit_killed_by_its_tests_changes_nothing(sandbox: SandboxWorld) -> None:
    """timeout(1) is gone, and the sandbox takes its 137 for an end: too early for one that the clock brought."""
    sandbox.before_tests = "kill -9 $PPID; sleep 0.1"
    verdict = sandbox.run(GOLD).verdict
    assert verdict["reason"] != "TimedOut"
    assert verdict["outcome"] == "Unresolved"


def test_a_time_limit_that_is_held_up_is_kept_by_our_own_clock(sandbox: SandboxWorld) -> None:
    sandbox.timeout_seconds = 1
    sandbox.environment["SWE_CLOCK_MARGIN_SECONDS"] = "1"
    sandbox.test_command = f"kill -STOP $PPID; printf '{PASSED}'; sleep 60"
    ended = sandbox.run(GOLD)
    assert (ended.verdict["outcome"], ended.verdict["reason"]) == ("Error", "TimedOut")
    assert ended.seconds < 30


def test_who_claims_to_have_ended_and_goes_on_is_out_of_time(sandbox: SandboxWorld) -> None:
    sandbox.timeout_seconds = 1
    sandbox.environment["SWE_CLOCK_MARGIN_SECONDS"] = "1"
    claim = f"printf '\\n%s end 0\\n' $(sed -n s/^TOKEN=//p {sandbox.shared}/settings)"
    block = f"echo '>>>>> Start Test Output'; printf '{PASSED}'; echo '>>>>> End Test Output'"
    sandbox.before_tests = f"{block}; {claim}; kill -STOP $PPID; sleep 60"
    verdict = sandbox.run(GOLD).verdict
    assert (verdict["outcome"], verdict["reason"]) == ("Error", "TimedOut")


def test_a_claimed_time_out_is_not_believed_before_its_time(sandbox: SandboxWorld) -> None:
    sandbox.before_tests = "trap 'exit 124' EXIT"
    assert sandbox.run(GOLD).verdict["outcome"] == "Resolved"


def test_what_the_tests_leave_running_ends_with_the_container(sandbox: SandboxWorld) -> None:
    sandbox.before_tests = "setsid sleep 100 & (while sleep 0.05; do echo late; done) &"
    ended = sandbox.run(GOLD)
    assert ended.verdict["outcome"] == "Resolved"
    assert ended.seconds < 30


def test_fifty_megabytes_are_graded(sandbox: SandboxWorld, official_package: OfficialPackage) -> None:
    sandbox.before_tests = "yes 'a line of output that says nothing' | head -c 50000000"
    ended = sandbox.run(GOLD)
    assert ended.verdict["outcome"] == "Resolved"
    assert ended.verdict["logBytes"] > 50_000_000
    assert len(ended.outputs["test_output.txt"]) == ended.verdict["logBytes"]
    log = sandbox.folder / "log"
    log.write_bytes(ended.outputs["test_output.txt"])
    assert ended.report == official_package.report(sandbox.instance(), sandbox.prediction(GOLD), log)


def test_more_output_than_the_cap_ends_the_run(sandbox: SandboxWorld) -> None:
    sandbox.environment["SWE_LOG_BYTES"] = "1000000"
    sandbox.before_tests = "yes 'a line of output that says nothing'"
    ended = sandbox.run(GOLD)
    assert (ended.verdict["outcome"], ended.verdict["reason"]) == ("Error", "LogTooLarge")
    assert 990_000 < len(ended.outputs["test_output.txt"]) <= 1_000_000
    assert "report.json" not in ended.outputs


def test_bytes_that_grow_by_being_repaired_count_as_what_they_become(sandbox: SandboxWorld) -> None:
    sandbox.environment["SWE_LOG_BYTES"] = "1000000"
    sandbox.before_tests = "head -c 500000 /dev/zero | tr '\\0' '\\377'"
    ended = sandbox.run(GOLD)
    assert ended.verdict["reason"] == "LogTooLarge"
    assert len(ended.outputs["test_output.txt"]) == 1_000_000


def test_a_log_made_to_hang_the_official_grading_is_an_error(sandbox: SandboxWorld) -> None:
    """Its patterns take time that grows with the square of a line, or worse."""
    sandbox.environment["SWE_GRADING_SECONDS"] = "1"
    sandbox.row = {"log_parser": "parse_log_sympy"}
    sandbox.test_command = python(sandbox, "line", "print('_ ' * 200_000)")
    ended = sandbox.run(GOLD)
    assert (ended.code, ended.verdict["outcome"], ended.verdict["reason"]) == (0, "Error", "LogTooLarge")
    assert ended.seconds < 30


def test_a_log_made_to_fill_the_memory_of_the_official_grading_is_an_error(sandbox: SandboxWorld) -> None:
    sandbox.environment["SWE_GRADING_MEMORY_BYTES"] = str(300 << 20)
    sandbox.test_command = "yes ab | head -c 30000000"
    ended = sandbox.run(GOLD)
    assert (ended.code, ended.verdict["outcome"], ended.verdict["reason"]) == (0, "Error", "LogTooLarge")


def test_a_log_that_the_official_grading_cannot_read_is_an_error(sandbox: SandboxWorld, official: Official) -> None:
    """Its parser raises, which leaves the instance without a report there too."""
    sandbox.row = {"log_parser": "parse_log_jekyll"}
    verdict = both(official, sandbox, GOLD).verdict
    assert (verdict["outcome"], verdict["reason"]) == ("Error", "NoTestOutput")
    assert "ValueError" in verdict["message"]


def test_a_sandbox_that_never_connects_blames_nobody(sandbox: SandboxWorld) -> None:
    sandbox.environment["SWE_START_SECONDS"] = "1"
    sandbox.endpoint.input = json.dumps(sandbox.input(GOLD)).encode()
    ended = sandbox.wait(sandbox.start_grade(), None)
    assert (ended.code, ended.termination["outcome"]) == (75, "NotGraded")
    assert (ended.termination["reason"], ended.termination["ordinal"]) == ("SandboxSilent", 7)
    assert ended.outputs == {}


def test_a_sandbox_that_ends_before_it_tries_the_patch_blames_nobody(sandbox: SandboxWorld) -> None:
    sandbox.endpoint.input = json.dumps(sandbox.input(GOLD)).encode()
    grade = sandbox.start_grade()
    while not (sandbox.shared / "go").exists():
        time.sleep(0.01)
    script = (sandbox.shared / "sandbox.sh").read_text()
    (sandbox.shared / "sandbox.sh").write_text(script.replace("\nmain\n", "\nexit 0\n"))
    ended = sandbox.wait(grade, sandbox.start_test())
    assert (ended.code, ended.termination["reason"]) == (75, "SandboxSilent")


def test_a_stop_ends_a_running_test_at_once(sandbox: SandboxWorld) -> None:
    sandbox.before_tests = "touch running; sleep 60"
    sandbox.endpoint.input = json.dumps(sandbox.input(GOLD)).encode()
    grade, test = sandbox.start_grade(), sandbox.start_test()
    while not (sandbox.repo / "running").exists():
        time.sleep(0.01)
    grade.send_signal(signal.SIGTERM)
    ended = sandbox.wait(grade, test)
    assert (ended.code, ended.outputs, ended.termination) == (128 + signal.SIGTERM, {}, {})
    assert ended.seconds < 30


def test_the_sandbox_can_read_what_it_gets_whoever_it_is(sandbox: SandboxWorld) -> None:
    sandbox.run(GOLD)
    readable = {path.name: oct(path.stat().st_mode)[-3:] for path in Path(sandbox.shared).iterdir()}
    names = ("sandbox.sh", "watch_files.sh", "eval.sh", "patch.diff", "settings", "test_files", "go")
    assert readable == dict.fromkeys(names, "644")
