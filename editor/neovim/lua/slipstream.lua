-- slipstream: ghost text in Neovim 0.11, over its own LSP client: an inlineCompletion request at every change in insert mode, the
-- answer drawn as virtual text, taken whole, by a word or by a line; and the server is told of each. Neovim 0.12 draws by itself
-- (vim.lsp.inline_completion), without the reports.
local M = {}

local space = vim.api.nvim_create_namespace("slipstream")
local defaults = {
  cmd = { "slipstream-lsp" },
  settings = {},
  root_markers = { ".git" },
  keys = { accept = "<Tab>", word = "<M-w>", line = "<M-l>", dismiss = "<C-]>" },
}
local options = defaults

-- What stands as ghost text: the item, where its range starts, a mark at its end, and how much of it was told as taken.
local ghost
-- The request under way: an answer to an older one is of no use.
local asked
-- Where it was asked last: moving is no change.
local place

local function client_of(buffer)
  return vim.lsp.get_clients({ bufnr = buffer, name = "slipstream" })[1]
end

local function utf16(text)
  return vim.str_utfindex(text, "utf-16")
end

local function byte_column(buffer, position)
  local line = vim.api.nvim_buf_get_lines(buffer, position.line, position.line + 1, false)[1] or ""
  return vim.str_byteindex(line, "utf-16", position.character, false)
end

local function cursor()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  return row - 1, column
end

local function clear()
  if ghost and vim.api.nvim_buf_is_valid(ghost.buffer) then
    vim.api.nvim_buf_clear_namespace(ghost.buffer, space, 0, -1)
  end
  ghost = nil
end

-- What is left of the ghost text at the cursor: nil where the person typed, or went, elsewhere.
local function rest()
  if not ghost or ghost.buffer ~= vim.api.nvim_get_current_buf() then
    return nil
  end
  local row, column = cursor()
  if row < ghost.row or (row == ghost.row and column < ghost.column) then
    return nil
  end
  local typed = table.concat(vim.api.nvim_buf_get_text(ghost.buffer, ghost.row, ghost.column, row, column, {}), "\n")
  local text = ghost.item.insertText
  if #typed >= #text or text:sub(1, #typed) ~= typed then
    return nil
  end
  return text:sub(#typed + 1), typed
end

local function draw()
  local left = rest()
  if not left then
    clear()
    return false
  end
  local row, column = cursor()
  local lines = vim.split(left, "\n")
  local below = vim.tbl_map(function(line)
    return { { line, "Comment" } }
  end, vim.list_slice(lines, 2))
  vim.api.nvim_buf_clear_namespace(ghost.buffer, space, 0, -1)
  vim.api.nvim_buf_set_extmark(ghost.buffer, space, row, column, {
    virt_text = { { lines[1], "Comment" } },
    virt_text_pos = "inline",
    virt_lines = #below > 0 and below or nil,
  })
  return true
end

local function show(buffer, client, item)
  local start, finish = item.range.start, item.range["end"]
  clear()
  ghost = {
    buffer = buffer,
    client = client,
    item = item,
    row = start.line,
    column = byte_column(buffer, start),
    -- How much of what stands after the cursor it takes away.
    replaces = finish.line == start.line and finish.character - start.character or 0,
  }
  local row, column = cursor()
  if row == ghost.row then
    ghost.replaces = math.max(0, byte_column(buffer, finish) - column)
  end
  if draw() then
    client:notify("textDocument/didShowCompletion", { item = item })
  end
end

--- Asks for ghost text at the cursor; `invoked`: a person wants it now.
function M.request(invoked)
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    return
  end
  if asked then
    client:cancel_request(asked.id)
    asked = nil
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = invoked and 1 or 2 }
  params.formattingOptions = { tabSize = vim.lsp.util.get_effective_tabstop(buffer), insertSpaces = vim.bo[buffer].expandtab }
  local own = {}
  asked = own
  local _, id = client:request("textDocument/inlineCompletion", params, function(failed, result)
    if asked ~= own then
      return
    end
    asked = nil
    local item = not failed and result and (result.items or result)[1]
    if item and vim.api.nvim_get_mode().mode:sub(1, 1) == "i" and vim.api.nvim_get_current_buf() == buffer then
      show(buffer, client, item)
    end
  end, buffer)
  own.id = id
end

-- Puts the next `length` bytes of the ghost text into the buffer.
local function take(length)
  local left, typed = rest()
  if not left then
    return false
  end
  local taken = ghost
  local whole = length >= #left
  local piece = whole and left or left:sub(1, length)
  local row, column = cursor()
  local lines = vim.split(piece, "\n")
  vim.api.nvim_buf_set_text(taken.buffer, row, column, row, column + (whole and taken.replaces or 0), lines)
  local last = lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines, #lines == 1 and column + #last or #last })
  if whole then
    clear()
    -- The edit goes first: the server looks for the text where it stands.
    taken.client:request("workspace/executeCommand", taken.item.command, function() end, taken.buffer)
  else
    draw()
    local accepted = utf16(typed .. piece)
    taken.client:notify("textDocument/didPartiallyAcceptCompletion", { item = taken.item, acceptedLength = accepted })
  end
  return true
end

function M.accept()
  return take(math.huge)
end

function M.accept_word()
  local left = rest()
  local _, last = (left or ""):find("^%s*[%w_]+")
  if not last then
    _, last = (left or ""):find("^%s*[^%w%s_]")
  end
  return take(last or math.huge)
end

function M.accept_line()
  local left = rest()
  local _, last = (left or ""):find("^\n*[^\n]*")
  return take(last or math.huge)
end

function M.dismiss()
  if not ghost then
    return false
  end
  local command = vim.deepcopy(ghost.item.command)
  command.command = "slipstream.didRejectCompletionItem"
  ghost.client:request("workspace/executeCommand", command, function() end, ghost.buffer)
  clear()
  return true
end

--- The ghost text that is left, or nil: for a status line, and for tests.
function M.ghost()
  return (rest())
end

local function changed()
  local row, column = cursor()
  local now = table.concat({ vim.api.nvim_get_current_buf(), vim.b.changedtick, row, column }, ":")
  if now == place then
    return
  end
  place = now
  draw()
  M.request(false)
end

local function start(buffer)
  if vim.bo[buffer].buftype ~= "" or client_of(buffer) then
    return
  end
  vim.lsp.start({
    name = "slipstream",
    cmd = options.cmd,
    root_dir = vim.fs.root(buffer, options.root_markers) or vim.fn.getcwd(),
    init_options = options.settings,
    settings = { slipstream = options.settings },
    handlers = {
      ["didChangeStatus"] = function(_, status)
        vim.g.slipstream_status = status.message
      end,
    },
  }, { bufnr = buffer })
end

local function map(key, act)
  if key then
    vim.keymap.set("i", key, function()
      return act() and "" or vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(key, true, false, true), "n", false)
    end)
  end
end

function M.setup(given)
  options = vim.tbl_deep_extend("force", defaults, given or {})
  local group = vim.api.nvim_create_augroup("slipstream", {})
  local on = function(events, act)
    vim.api.nvim_create_autocmd(events, { group = group, callback = act })
  end
  on({ "BufReadPost", "BufNewFile" }, function(event)
    start(event.buf)
  end)
  on({ "InsertEnter", "TextChangedI", "TextChangedP", "CursorMovedI" }, changed)
  on({ "InsertLeave", "BufLeave" }, function()
    place = nil
    clear()
  end)
  on("BufEnter", function(event)
    local client = client_of(event.buf)
    if client then
      client:notify("textDocument/didFocus", { textDocument = { uri = vim.uri_from_bufnr(event.buf) } })
    end
  end)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.api.nvim_buf_get_name(buffer) ~= "" then
      start(buffer)
    end
  end
  map(options.keys.accept, M.accept)
  map(options.keys.word, M.accept_word)
  map(options.keys.line, M.accept_line)
  map(options.keys.dismiss, M.dismiss)
end

return M
