"""The walks over the graph, one short file each. Imports core and rules."""
