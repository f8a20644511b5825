"""The drift watch as a flow of its own: it looks at served traffic on a schedule and says what drifted."""
