"""Items of several threads are processed in common batches, and each thread gets its own results."""

import threading
import time
from functools import partial

import pytest

from hwr_core import load_recognizer
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.runtime.batching import Batcher, Job
from hwr_core.runtime.scheduling import Slots


def at_once(calls):
    """Runs each call in its own thread and returns the results, or the exceptions in their place."""
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


def slot(count):
    return partial(Slots(count).acquire, 1)


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_queued_items_are_processed_in_batches_each_exactly_once(slots):
    batches, working, most = [], [], []

    def work(kind, items):
        batches.append((kind, items))
        working.append(kind), most.append(len(working))
        time.sleep(0.02)
        working.pop()
        return [item * kind for item in items]

    batcher = Batcher(work, 8, slot(slots))
    results = at_once([lambda n=n: batcher(1 + n % 2, [n, n + 100]) for n in range(24)])
    assert results == [[n * (1 + n % 2), (n + 100) * (1 + n % 2)] for n in range(24)]
    done = sorted(item for _, items in batches for item in items)
    assert done == sorted([*range(24), *range(100, 124)])
    assert len(batches) < 24 and max(len(items) for _, items in batches) > 4
    assert max(most) == slots


def test_slots_are_given_in_the_order_of_the_requests():
    slots, order = Slots(2), []

    def work(name, shares, seconds):
        with slots.acquire(shares):
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


def test_an_interrupted_wait_for_a_slot_blocks_no_other_thread(monkeypatch):
    slots = Slots(1)
    monkeypatch.setattr(slots._changed, "wait_for", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), slots.acquire(1):
        pytest.fail("it has no slot")
    monkeypatch.undo()
    assert at_once([lambda: slots.acquire(1).__enter__()]) == [True]


def test_a_thread_whose_item_is_done_waits_for_no_slot():
    slots, started, others = Slots(1), threading.Event(), threading.Event()

    def work(kind, items):
        started.set()
        others.wait(10)
        return items

    batcher, returned = Batcher(work, 4, partial(slots.acquire, 1)), []
    with slots.acquire(1):  # until both items and the long work are in the queue
        readers = [threading.Thread(target=lambda n=n: returned.extend(batcher("any", [n]))) for n in (1, 2)]
        long = threading.Thread(target=lambda: slots.acquire(1).__enter__())  # which never gives it back
        for thread in (readers[0], long, readers[1]):
            thread.daemon = True
            thread.start()
            time.sleep(0.05)
    assert started.wait(10)
    others.set()
    for reader in readers:
        reader.join(10)
    assert sorted(returned) == [1, 2]


def test_if_the_processing_thread_is_interrupted_the_other_items_get_an_error():
    def work(kind, items):
        if items == ["b"]:
            raise KeyboardInterrupt
        if len(items) > 1:
            raise ValueError("one of them")
        return items

    jobs = [Job("any", item) for item in "abc"]
    with pytest.raises(KeyboardInterrupt):
        Batcher(work, 4, slot(1)).process(jobs)
    assert all(job.done.is_set() for job in jobs)
    assert (jobs[0].result, jobs[0].error) == ("a", None)
    assert all(isinstance(job.error, RuntimeError) for job in jobs[1:])


@pytest.mark.parametrize("slots", [1, 2])
def test_an_error_reaches_only_the_thread_whose_item_failed(slots):
    sizes = []

    def work(kind, items):
        sizes.append(len(items))
        time.sleep(0.01)
        if 3 in items:
            raise ValueError("no")
        return items

    batcher = Batcher(work, 4, slot(slots))
    results = at_once([lambda n=n: batcher("any", [n]) for n in range(8)])
    assert isinstance(results[3], ValueError) and max(sizes) > 1
    assert [result for n, result in enumerate(results) if n != 3] == [[n] for n in range(8) if n != 3]
    assert batcher("any", [1]) == [1]


def test_lines_of_several_threads_are_read_in_one_batch_as_each_alone(monkeypatch):
    recognizer = load_recognizer("text")
    texts = ["hello world", "see you at 7:30", "bring the map", "a"]
    images = [render_line(write(text), 96, 5.0) for text in texts]
    alone = [recognizer.read([image])[0].text for image in images]
    sizes, real = [], recognizer._batcher.work
    monkeypatch.setattr(recognizer._batcher, "work", lambda kind, items: sizes.append(len(items)) or real(kind, items))
    together = at_once([lambda image=image: recognizer.read([image])[0].text for image in images * 3])
    assert together == alone * 3
    assert sum(sizes) == 12 and max(sizes) > 1


def test_no_items_give_no_results():
    assert Batcher(lambda kind, items: pytest.fail("there is nothing to do"), 4, slot(1))(1, []) == []


def test_a_thread_that_holds_slots_cannot_wait_for_more():
    slots = Slots(2)
    with slots.acquire(1), pytest.raises(RuntimeError, match="already holds"), slots.acquire(1):
        pytest.fail("it would wait for itself")
    with slots.acquire(2) as got:
        assert got


def test_work_that_asks_its_own_batcher_gets_an_error_and_leaves_nothing_in_the_queue():
    def work(kind, items):
        return batcher(kind, items) if kind == "nested" else items

    batcher = Batcher(work, 4, slot(2))
    (error,) = at_once([lambda: batcher("nested", [1])])
    assert isinstance(error, RuntimeError) and "already holds" in str(error)
    assert not batcher._waiting and batcher("plain", [2]) == [2]
