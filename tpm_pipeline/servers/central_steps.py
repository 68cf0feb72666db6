"""What the steps of a deployment to Central share: each is done in a project, once it exists."""

from tpm_pipeline.servers import steps

OFFICE = "code_bureau"
"""The property by which Central knows whose phone and whose case it is."""

NOT_FOUND, ALREADY_THERE = "404.1", "409.3"

Step = steps.Step[int]
