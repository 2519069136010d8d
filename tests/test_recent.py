"""The last values that were asked for are kept, and no others."""

import threading

from chains.recent import Recent


def test_the_last_ones_asked_for_are_kept_and_made_once() -> None:
    made: list[int] = []

    def make(key: int) -> str:
        made.append(key)
        return f"value {key}"

    recent: Recent[int, str] = Recent(3)
    for key in (1, 2, 3, 1, 4, 1, 3):
        assert recent.get(key, make) == f"value {key}"
    assert made == [1, 2, 3, 4]
    recent.get(2, make)
    recent.get(1, make)
    assert made == [1, 2, 3, 4, 2]
    assert len(recent) == 3


def test_many_threads_get_their_own_values() -> None:
    recent: Recent[int, int] = Recent(4)
    wrong: list[int] = []

    def ask(first: int) -> None:
        for n in range(3000):
            key = (first + n) % 9
            if recent.get(key, lambda k: k * k) != key * key:
                wrong.append(key)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(recent) == 4
