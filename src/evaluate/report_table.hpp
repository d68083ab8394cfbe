#pragma once

#include <string>
#include <vector>

namespace guidegen {

/// A table of a report, for the terminal and the page alike.
struct ReportTable {
  std::string title;
  std::string note;                            ///< what rows and columns are; sentences
  std::vector<std::vector<std::string>> rows;  ///< the first is the head
};

/// Title, note and aligned columns, the first to the left, with a final newline.
std::string in_text(const ReportTable& table);
/// The same as a section of a page with kReportStyle.
std::string in_html(const ReportTable& table);
/// CSS of pages of tables: main, headings, sections, .figures and figures with captions.
extern const char* const kReportStyle;

/// <name>text</name>, the text escaped.
std::string html_element(const std::string& name, const std::string& text);
/// A PNG with a caption, as <figure>.
std::string html_figure(const std::string& png, const std::string& caption);

}  // namespace guidegen
