"""Pages come when they are asked for or while nothing goes on, and a late one has missed nothing."""

from __future__ import annotations

from gui_lab.qt.window import PLACES


def made(lab) -> set[str]:
    """The places whose page there is by now."""
    return set(lab.lab.window.stack.made)


def test_a_page_is_made_when_it_is_asked_for_or_while_nothing_goes_on(lab):
    assert made(lab) == {"Dataset"}
    lab.go("Model")
    assert made(lab) == {"Dataset", "Model"}
    lab.lab.window.stack.rest.setInterval(20)
    lab.hands.wait(lambda: len(made(lab)) == len(PLACES), "all are made")
    lab.hands.wait(lambda: not lab.lab.window.stack.rest.isActive(), "there is no more to do")
    assert lab.lab.window.title.text() == "Model"


def test_no_page_is_made_ahead_while_a_network_trains(lab):
    lab.train.set(epochs=9000)
    lab.lab.window.stack.rest.setInterval(5)
    lab.train.start()
    before = made(lab)
    lab.train.wait_iterations(20)
    assert made(lab) == before
    lab.train.stop()
    lab.hands.wait(lambda: len(made(lab)) == len(PLACES), "all are made")


def test_a_page_that_is_made_late_shows_what_has_happened(lab):
    window = lab.lab.window
    lab.dataset.show()
    lab.lab.session.edit("training.epochs", 2)
    lab.lab.control.train()  # as nothing in the window does: without going to the Train page
    lab.hands.wait(lambda: lab.lab.control.history.ended is not None, "it has ended", 60)
    assert "Train" not in made(lab)
    window.go("Train")
    assert lab.hands.text("train.run").endswith("Digits")
    assert len(lab.train.loss()) == len(lab.lab.control.history.loss)
    assert "Best validation accuracy" in lab.train.says()
