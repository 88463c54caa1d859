/*
 * reader: reads stdin to its end, and ends. The least that a program under a
 * launcher can do with a connection, and without one a trivial dynamic program.
 */
#include <unistd.h>

int main(void)
{
	char buffer[4096];

	while (read(0, buffer, sizeof(buffer)) > 0)
		;
	return 0;
}
