"""The sender of this process; None outside Kurama."""

sender = None
