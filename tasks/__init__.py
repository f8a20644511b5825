"""How each piece of work is done: plain functions, without an orchestrator."""
