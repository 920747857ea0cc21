"""The control plane of QPlus Live Server: who may push, who may watch, who does."""
