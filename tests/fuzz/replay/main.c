/*
 * Runs a harness over files, without a fuzzer: for a compiler that has none, as
 * the coverage of `make coverage` has. It knows nothing of what it runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

int main(int argc, char *argv[])
{
	static uint8_t bytes[1 << 17];

	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t n;

		if (file == NULL)
			return EXIT_FAILURE;
		n = fread(bytes, 1, sizeof(bytes), file);
		(void)fclose(file);
		(void)LLVMFuzzerTestOneInput(bytes, n);
	}
	return EXIT_SUCCESS;
}
