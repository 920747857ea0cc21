"""What operators ask of a control that runs: answered by it, so that whatever lies in its memory stays right."""
