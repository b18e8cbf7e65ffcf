"""The napari plugin of hybridcolor: thin views over its sessions. Everything that decides lives in `hybridcolor`."""
