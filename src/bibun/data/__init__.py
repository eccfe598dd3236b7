"""Tables that ship with bibun; README.md beside this file says where each is from. Imports nothing of bibun."""
