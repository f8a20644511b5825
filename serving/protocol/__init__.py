"""The words of the wire: requests read, answers written, the OpenAPI page."""
