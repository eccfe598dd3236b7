"""The recorded graph becomes something that runs without it. Imports core, rules, transforms."""
