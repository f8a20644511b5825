"""Gates, the trial load, and the step from candidate to champion."""
