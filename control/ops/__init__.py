"""What every process here needs to be operated: logs, metrics, background loops."""
