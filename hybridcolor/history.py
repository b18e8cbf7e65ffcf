"""Undo and redo of drawings."""

from __future__ import annotations

from dataclasses import dataclass, field

from hybridcolor.drawing import Drawing


@dataclass(slots=True)
class History:
    """The present drawing, those before it, and those that were undone. Without limit: strokes are shared.

    Examples
    --------
    >>> history = History(Drawing())
    >>> history.do(Drawing(method="watershed"))
    >>> history.undo(), history.present.method, history.redo(), history.present.method, history.redo()
    (True, 'hybrid', True, 'watershed', False)
    """

    present: Drawing
    past: list[Drawing] = field(default_factory=list)
    undone: list[Drawing] = field(default_factory=list)

    def do(self, drawing: Drawing) -> None:
        """Make this the present; what was undone is forgotten."""
        self.past.append(self.present)
        self.present = drawing
        self.undone.clear()

    def undo(self) -> bool:
        """One step back; False if there is none."""
        if not self.past:
            return False
        self.undone.append(self.present)
        self.present = self.past.pop()
        return True

    def redo(self) -> bool:
        """One step forth again; False if there is none."""
        if not self.undone:
            return False
        self.past.append(self.present)
        self.present = self.undone.pop()
        return True
