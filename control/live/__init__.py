"""What goes on: who may publish and play, who does, and what is on air."""
