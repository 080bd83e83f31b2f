"""What one file is, told for the command line: without torch, unless values are asked for."""
