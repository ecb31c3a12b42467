"""EventBridge, queues and topics: who may send to whom, and how queues are polled."""
