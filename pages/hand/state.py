"""What a session knows of the hand that it learns, or has learned. Both pages read with it."""

import threading
import time
import weakref
from dataclasses import dataclass

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.hand.run import Hand, LearningRun

STATE = "hand"
GONE_SECONDS = 150.0  # without its browser after which a session's hand is removed; Streamlit keeps sessions for 120
LOOK_SECONDS = 15.0  # between two looks whether the browser is there
USED = "read with my hand"  # key of the switch in the sidebar


@dataclass(eq=False)
class HandState:
    """A session's hand.

    Attributes:
        run: The learning that goes on, or was the last.
        hand: The hand that was learned last.
        sentence: What was measured of it.
        busy: Whether the last try met another hand that is being learned.
        watched: Whether the session's end is watched for.
    """

    run: LearningRun | None = None
    hand: Hand | None = None
    sentence: str = ""
    busy: bool = False
    watched: bool = False

    def take_result(self) -> None:
        """Takes the hand of a learning that has ended. A hand that was learned before stays without a better one."""
        run = self.run
        if run is not None and run.hand is not None and run.hand is not self.hand:
            if self.hand is not None:
                self.hand.forget()
            self.hand, self.sentence = run.hand, str(run.report["sentence"])
            weakref.finalize(self, self.hand.forget)  # with the session, whoever still refers to the hand

    def remove(self) -> None:
        """Ends the learning and removes the hand."""
        if self.run is not None:
            self.run.stop()
        if self.hand is not None:
            self.hand.forget()
        self.run, self.hand, self.sentence = None, None, ""

    def forget(self) -> None:
        """Ends the learning, removes the hand, and no longer reads with it."""
        self.remove()
        st.session_state[USED] = False

    def watch(self) -> None:
        """Has the hand removed when the browser has left. A session without one can stay in memory for long."""
        context = get_script_run_ctx()
        if self.watched or context is None or not runtime.exists():
            return
        self.watched = True
        arguments = weakref.ref(self), context.session_id
        threading.Thread(target=_remove_when_gone, args=arguments, name="hand", daemon=True).start()

    def use(self) -> None:
        """Reads with the hand from now on."""
        st.session_state[USED] = True


def hand_state() -> HandState:
    """The state of this session."""
    return st.session_state.setdefault(STATE, HandState())


def _remove_when_gone(reference: "weakref.ref[HandState]", session: str) -> None:
    seen = time.monotonic()
    while (state := reference()) is not None:
        if runtime.exists() and runtime.get_instance().is_active_session(session):
            seen = time.monotonic()
        elif time.monotonic() - seen >= GONE_SECONDS:
            state.remove()
            state.watched = False
            return
        del state  # the session may end meanwhile
        time.sleep(LOOK_SECONDS)
