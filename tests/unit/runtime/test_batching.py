"""What several threads ask for at once is done in common batches, and everyone gets his own."""

import threading
import time
from functools import partial

import pytest

from hwr_core import load_recognizer
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.runtime.batching import Batcher, Job
from hwr_core.runtime.scheduling import Turns


def at_once(calls):
    """The results of the calls, each in a thread of its own; an exception in place of a result that there is none of."""
    results, start = [None] * len(calls), threading.Barrier(len(calls))

    def run(index, call):
        start.wait()
        try:
            results[index] = call()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return results


def turn(count):
    return partial(Turns(count).take, 1)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_what_waits_is_worked_on_together_and_nothing_is_lost_or_done_twice(turns):
    batches, working, most = [], [], []

    def work(kind, items):
        batches.append((kind, items))
        working.append(kind), most.append(len(working))
        time.sleep(0.02)
        working.pop()
        return [item * kind for item in items]

    batcher = Batcher(work, 8, turn(turns))
    results = at_once([lambda n=n: batcher(1 + n % 2, [n, n + 100]) for n in range(24)])
    assert results == [[n * (1 + n % 2), (n + 100) * (1 + n % 2)] for n in range(24)]
    done = sorted(item for _, items in batches for item in items)
    assert done == sorted([*range(24), *range(100, 124)])
    assert len(batches) < 24 and max(len(items) for _, items in batches) > 4
    assert max(most) == turns


def test_who_needs_all_the_cores_waits_for_them_and_is_not_kept_waiting_by_those_who_come_later():
    turns, order = Turns(2), []

    def work(name, shares, seconds):
        with turns.take(shares):
            order.append(name)
            time.sleep(seconds)

    threads = [
        threading.Thread(target=work, args=each)
        for each in (("one", 1, 0.1), ("all", 2, 0.05), ("late", 1, 0), ("later", 1, 0))
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join(10)
    assert order == ["one", "all", "late", "later"]


def test_a_turn_that_is_not_waited_for_to_the_end_holds_up_nobody(monkeypatch):
    turns = Turns(1)
    with turns.take(1):
        monkeypatch.setattr(turns._changed, "wait_for", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt), turns.take(1):
            pytest.fail("it is not its turn")
        monkeypatch.undo()
    assert at_once([lambda: turns.take(1).__enter__()]) == [True]


def test_whose_item_is_done_waits_for_no_turn():
    turns, started, others = Turns(1), threading.Event(), threading.Event()

    def work(kind, items):
        started.set()
        others.wait(10)
        return items

    batcher, returned = Batcher(work, 4, partial(turns.take, 1)), []
    with turns.take(1):  # until both items and the long work are in the queue
        readers = [threading.Thread(target=lambda n=n: returned.extend(batcher("any", [n]))) for n in (1, 2)]
        long = threading.Thread(target=lambda: turns.take(1).__enter__())  # which never gives it back
        for thread in (readers[0], long, readers[1]):
            thread.daemon = True
            thread.start()
            time.sleep(0.05)
    assert started.wait(10)
    others.set()
    for reader in readers:
        reader.join(10)
    assert sorted(returned) == [1, 2]


def test_where_the_thread_that_works_is_ended_the_others_are_told():
    def work(kind, items):
        if items == ["b"]:
            raise KeyboardInterrupt
        if len(items) > 1:
            raise ValueError("one of them")
        return items

    jobs = [Job("any", item) for item in "abc"]
    with pytest.raises(KeyboardInterrupt):
        Batcher(work, 4, turn(1)).work_on(jobs)
    assert all(job.done.is_set() for job in jobs)
    assert (jobs[0].result, jobs[0].error) == ("a", None)
    assert all(isinstance(job.error, RuntimeError) for job in jobs[1:])


@pytest.mark.parametrize("turns", [1, 2])
def test_an_error_reaches_him_whose_item_it_is_and_nobody_else(turns):
    sizes = []

    def work(kind, items):
        sizes.append(len(items))
        time.sleep(0.01)
        if 3 in items:
            raise ValueError("no")
        return items

    batcher = Batcher(work, 4, turn(turns))
    results = at_once([lambda n=n: batcher("any", [n]) for n in range(8)])
    assert isinstance(results[3], ValueError) and max(sizes) > 1
    assert [result for n, result in enumerate(results) if n != 3] == [[n] for n in range(8) if n != 3]
    assert batcher("any", [1]) == [1]


def test_lines_of_several_users_are_read_in_one_batch_as_each_would_be_alone(monkeypatch):
    recognizer = load_recognizer("text")
    texts = ["hello world", "see you at 7:30", "bring the map", "a"]
    images = [render_line(write(text), 96, 5.0) for text in texts]
    alone = [recognizer.read([image])[0].text for image in images]
    sizes, real = [], recognizer._batcher.work
    monkeypatch.setattr(recognizer._batcher, "work", lambda kind, items: sizes.append(len(items)) or real(kind, items))
    together = at_once([lambda image=image: recognizer.read([image])[0].text for image in images * 3])
    assert together == alone * 3
    assert sum(sizes) == 12 and max(sizes) > 1


def test_nothing_asked_for_is_nothing_done():
    assert Batcher(lambda kind, items: pytest.fail("there is nothing to do"), 4, turn(1))(1, []) == []
