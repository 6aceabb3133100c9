"""What outsiders verify: the ledger CLEDGER/1 and its signer. Standard library and cryptography only."""
