"""What a test file in JavaScript or TypeScript holds: jest, vitest, mocha and their like."""
