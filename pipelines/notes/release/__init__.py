"""Notes leave for research: the identifiers of the patient first, then whatever has the form of one."""
