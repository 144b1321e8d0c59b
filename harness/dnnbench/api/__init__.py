"""What `import dnnbench` gives, a file a function; the command line calls the same, and renders."""
