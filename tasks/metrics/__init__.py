"""What is measured of predictions: for classes, for labels and for numbers. Used by training and by evaluation."""
