"""What a session knows of the hand that it learns, or has learned. Both pages read with it."""

from dataclasses import dataclass

import streamlit as st

from pages.hand.run import Hand, LearningRun

STATE = "hand"
USED = "read with my hand"  # key of the switch in the sidebar


@dataclass
class HandState:
    """A session's hand.

    Attributes:
        run: The learning that goes on, or was the last.
        hand: The hand that was learned last.
        sentence: What was measured of it.
        busy: Whether the last try met another hand that is being learned.
    """

    run: LearningRun | None = None
    hand: Hand | None = None
    sentence: str = ""
    busy: bool = False

    def take_result(self) -> None:
        """Takes the hand of a learning that has ended. A hand that was learned before stays without a better one."""
        run = self.run
        if run is not None and run.hand is not None and run.hand is not self.hand:
            self.hand, self.sentence = run.hand, str(run.report["sentence"])

    def forget(self) -> None:
        """Ends the learning and removes the hand."""
        if self.run is not None:
            self.run.stop()
        self.run, self.hand, self.sentence = None, None, ""
        st.session_state[USED] = False

    def use(self) -> None:
        """Reads with the hand from now on."""
        st.session_state[USED] = True


def hand_state() -> HandState:
    """The state of this session."""
    return st.session_state.setdefault(STATE, HandState())
