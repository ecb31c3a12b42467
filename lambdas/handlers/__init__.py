"""One module a function: event in, one call, result out."""
