"""The one function that calls the stages of the pipeline in their order."""
