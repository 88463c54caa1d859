/*
 * What nettle asks the processor before main(), answered out of what the C
 * library has asked already: in a virtual machine each cpuid instruction is an
 * exit to the host, and nettle's three cost every start 0.02 ms. The linker
 * puts it in the place of nettle's own (--wrap), where that is linked
 * statically; nobody else calls it.
 */
#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
#include <stdint.h>
#include <string.h>
#include <sys/platform/x86.h>

/* The linker's name for it, ld(1). */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void __wrap__nettle_cpuid(uint32_t leaf, uint32_t registers[4]);

/* Registers: eax, ebx, ecx, edx. A leaf that is not known here says no to all:
 * only the vendor, which nothing that is used here depends on. */
void __wrap__nettle_cpuid(uint32_t leaf, uint32_t registers[4])
{
	const struct cpuid_feature *known = NULL;

	if (leaf == 1)
		known = __x86_get_cpuid_feature_leaf(CPUID_INDEX_1);
	else if (leaf == 7)
		known = __x86_get_cpuid_feature_leaf(CPUID_INDEX_7);
	memset(registers, 0, 4 * sizeof(*registers));
	if (known != NULL)
		memcpy(registers, known->cpuid_array, 4 * sizeof(*registers));
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#else
typedef int nothing_here;
#endif
