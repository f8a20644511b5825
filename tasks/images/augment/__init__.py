"""Augmentation of batches of images on the training device.

Every family works on a batch, uint8 or float [N, C, H, W] with levels of 0 to 255, draws from an explicit generator
of the batch's device, and returns the batch's type. Each image draws its own numbers; how many does not depend on what
was drawn, so the same state of the generator gives the same batch.
"""
