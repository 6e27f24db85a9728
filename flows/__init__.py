"""Prefect flows and the command line. This file imports nothing, so that --help stays quick."""
