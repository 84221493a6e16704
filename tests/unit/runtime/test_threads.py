"""Work is spread over the cores."""

import threading

import pytest

from hwr_core.runtime import threads
from hwr_core.runtime.threads import spread


@pytest.fixture(params=[1, 2])
def cores(request, monkeypatch):
    monkeypatch.setattr(threads, "free_threads", lambda: request.param)
    return request.param


def test_results_come_in_the_order_of_the_items_with_one_core_or_two(cores):
    assert spread(lambda number: number * number, range(20)) == [number * number for number in range(20)]


def test_two_items_are_worked_on_at_once_where_there_are_two_cores(monkeypatch):
    monkeypatch.setattr(threads, "free_threads", lambda: 2)
    both = threading.Barrier(2, timeout=60)
    assert sorted(spread(lambda _: both.wait(), (1, 2), least=2)) == [0, 1]


def test_few_items_stay_in_the_callers_thread(monkeypatch):
    monkeypatch.setattr(threads, "free_threads", lambda: 2)
    assert set(spread(lambda _: threading.current_thread(), (1, 2, 3))) == {threading.current_thread()}


def test_an_error_of_the_work_is_raised(cores):
    with pytest.raises(ZeroDivisionError):
        spread(lambda number: 1 / number, (3, 2, 1, 0))
