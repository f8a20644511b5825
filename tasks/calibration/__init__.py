"""What is fitted on the validation split once a model is trained: calibration and thresholds."""
