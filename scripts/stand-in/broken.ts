// For tests of the supervisor: a signer whose settings are wrong.
throw new Error('Cannot start. SIGNER_WHATEVER is missing.')
