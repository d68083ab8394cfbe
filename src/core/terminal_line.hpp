#pragma once

#include <string>

namespace guidegen {

/// The last line of the terminal on stderr, which a progress bar redraws in place. Log messages
/// take the bar away before they print, so that the two never mix. Only carriage returns and spaces
/// are used, no escape codes, so NO_COLOR and simple terminals need no special case.

/// True when stderr is a terminal that can redraw a line.
bool terminal_redraws();

/// Columns of the terminal on stderr, 80 when it does not say.
int terminal_columns();

/// Draws `text` over the line; cut to the width of the terminal.
void draw_terminal_line(const std::string& text);

/// Removes what draw_terminal_line drew, if anything.
void clear_terminal_line();

/// `text` with control characters made harmless, for names and messages that come from files.
std::string printable(std::string text);

}  // namespace guidegen
