import os
import signal
import sys
import time
from pathlib import Path

from swe_workloads.engine_process import TAIL_BYTES, EngineProcess, cpu_limit, oom_kills


def run(script: str) -> EngineProcess:
    return EngineProcess([sys.executable, "-c", script], os.environ)


def wait(engine: EngineProcess) -> int:
    deadline = time.monotonic() + 20
    while (returncode := engine.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return returncode


def test_the_exit_code_is_the_engine_s() -> None:
    assert wait(run("raise SystemExit(66)")) == 66


def test_a_death_by_signal_is_a_negative_number() -> None:
    engine = run("import time; time.sleep(60)")
    engine.send(signal.SIGTERM)
    assert wait(engine) == -signal.SIGTERM


def test_output_is_passed_on_and_its_end_kept(capfd: object) -> None:
    engine = run("import sys\nfor n in range(500): print('line', n)\nprint('the end', file=sys.stderr)")
    assert wait(engine) == 0
    tail = engine.tail()
    assert tail[-1] == "the end"
    assert sum(len(line) + 1 for line in tail) <= TAIL_BYTES


def test_what_the_engine_started_dies_with_it(tmp_path: Path) -> None:
    child = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    engine = run(f"{child}; open({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid)); sys.exit(3)")
    assert wait(engine) == 3
    grandchild = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_signals_after_the_end_go_nowhere() -> None:
    engine = run("pass")
    wait(engine)
    engine.send(signal.SIGTERM)
    engine.kill()
    assert engine.poll() == 0


def test_limits_and_counters_are_read_from_whatever_control_groups_there_are() -> None:
    assert cpu_limit() >= 1
    assert oom_kills() >= 0


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
