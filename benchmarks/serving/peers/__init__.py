"""The other servers, each as its own documentation has one write it. They import nothing of Headrace."""
