"""Raw records on their way into the graph: values read, put right and checked as the contract says."""
