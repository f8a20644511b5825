"""Search: the config whose model does best on the validation split, found by trying many."""
