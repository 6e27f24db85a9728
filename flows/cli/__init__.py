"""The command line: thin verbs over the pipelines. Nothing heavy is imported before a verb runs."""
