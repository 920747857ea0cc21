"""What dies, hangs or lies, and what is right again within ten seconds."""
