"""Libraries are loaded without collections; what is made later is collected as ever."""

import gc
from collections.abc import Iterator

import pytest

from swe_workloads.loading import uncollected


@pytest.fixture(autouse=True)
def collecting_as_before() -> Iterator[None]:
    before = gc.isenabled()
    yield
    gc.unfreeze()
    (gc.enable if before else gc.disable)()


def test_nothing_is_collected_until_the_outermost_import_is_over() -> None:
    gc.enable()
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_loaded_is_not_looked_at_again() -> None:
    gc.enable()
    before = gc.get_freeze_count()
    with uncollected():
        pass
    assert gc.get_freeze_count() > before


def test_an_import_that_fails_leaves_collections_on() -> None:
    gc.enable()
    with pytest.raises(ImportError), uncollected():
        raise ImportError("no such library")
    assert gc.isenabled()


def test_a_process_that_collects_nothing_is_left_as_it_is() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()
