"""The control plane of QPlus Live Server: who may push and watch, and who does."""

__version__ = "0.1.0"
