"""What only shows in containers. Needs a Docker engine: `make test-containers`."""
